"""Pages over a nest. Nothing here loads torch."""

from newsnest.web.payload import ReportLimits
from newsnest.web.report import ReportSummary, write_report

__all__ = ["ReportLimits", "ReportSummary", "write_report"]
