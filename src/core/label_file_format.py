"""Files that are no label files by their first bytes: other formats, and the ways in which spreadsheets save CSV."""

import re

_FORMATS = {
    b"PK\x03\x04": "is an Excel workbook or a zip file; save it as CSV UTF-8, separated by commas",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; save it as CSV UTF-8, separated by commas",
    b"\x1f\x8b": "is compressed with gzip; import the file itself",
    b"\xff\xfe": "is UTF-16; save the file as UTF-8",
    b"\xfe\xff": "is UTF-16; save the file as UTF-8",
    b"PAR1": "is a Parquet file; label files are CSV",
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?[\r\n]', re.IGNORECASE)
_OTHER_SEPARATOR = re.compile(rb'"?labeling_set_id"?[ \t]*([;\t|:])', re.IGNORECASE)
_NAMES = {b"\t": "tabs", b";": "semicolons", b"|": "vertical bars", b":": "colons"}


def foreign_format(beginning: bytes) -> str | None:
    """What the file is instead, and the remedy; None if it may be a label file. `beginning`: at least 100 bytes of it."""
    for magic, text in _FORMATS.items():
        if beginning.startswith(magic):
            return text
    if beginning.startswith(_BYTE_ORDER_MARK):
        return (
            "begins with a byte order mark, as Excel's 'CSV UTF-8' does; save the file as UTF-8 without one, in an editor, "
            "or remove its first three bytes"
        )
    if _SEPARATOR_LINE.match(beginning):
        return "begins with Excel's line 'sep='; remove that line, and separate the columns by commas"
    separator = _OTHER_SEPARATOR.match(beginning)
    if separator:
        return f"the columns are separated by {_NAMES[separator[1]]}; separate them by commas"
    return None
