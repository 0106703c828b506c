"""Pages over a nest. Nothing here loads torch."""

from newsnest.web.report import ReportLimits, ReportSummary, write_report

__all__ = ["ReportLimits", "ReportSummary", "write_report"]
