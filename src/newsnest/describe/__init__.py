"""Names, keywords and summaries for the clusters of a hierarchy."""

from newsnest.describe.keyword_describer import KeywordDescriber
from newsnest.describe.protocol import Describer, Description

__all__ = ["Describer", "Description", "KeywordDescriber"]
