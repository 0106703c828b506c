"""The frame of small pages: tables and pictures in one HTML file that asks for nothing."""

from html import escape

_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "table{border-collapse:collapse;margin-top:1rem;display:block;overflow-x:auto}"
    "td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "svg{max-width:100%;height:auto;display:block;margin-top:1rem}"
    ".words{text-align:left;overflow-wrap:anywhere;min-width:14rem}"
    "p,li{overflow-wrap:anywhere}@media(max-width:40rem){td,th{padding:.2rem .4rem}}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def plain_page(title: str, body: str) -> str:
    """Return a whole page; the title is escaped, what the HTML of the body quotes must be.

    >>> "<title>a &lt; b</title>" in plain_page("a < b", "<p>Text</p>")
    True
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"{body}</body></html>\n"
    )
