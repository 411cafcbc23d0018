"""The templates' one environment: what is escaped, and that a name which is not there is an error.

Belongs here: the settings of Jinja. Does not: filters of one experience, templates.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@cache
def templates(folder: str) -> Environment:
    """The templates of a folder of `experiences`; all but text twins are escaped, whatever their name."""
    return Environment(
        loader=PackageLoader("experiences", folder),
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
