"""Invented names for customers, vendors and people.

Belongs here: word lists and how they combine. Does not: who buys or sells what.
All names are put together from parts; contact details use reserved domains and 555-01xx numbers, so none reaches anyone.
"""

import numpy as np

from qbo_sandbox.generate.draws import pick
from qbo_sandbox.generate.timeline import Json

_FIRST = (
    "Alderbrook", "Amberfield", "Ashgrove", "Birchmere", "Bluefern", "Brackenford", "Brindlewood", "Bristlecone",
    "Calderwick", "Cedarholm", "Cinderpeak", "Cloverlane", "Copperline", "Cragmoor", "Dapplewood", "Driftmark",
    "Dunsmere", "Eastwillow", "Elderpoint", "Emberly", "Fallowmere", "Fennimore", "Finchley Gap", "Foxtail",
    "Glasswing", "Goldenrod", "Graniteway", "Greywater", "Halcyon Bend", "Harrowgate", "Hawthorn Row", "Hazelbrook",
    "Heatherstone", "Hollowell", "Ironbark", "Ivyhurst", "Juniper Flats", "Kestrel", "Kingsmere", "Larkspur",
    "Lindenfield", "Lowmarsh", "Maplecroft", "Marrowstone", "Meadowlark", "Millrace", "Mossgate", "Nettlefold",
    "Northwharf", "Oakhollow", "Orchard Spur", "Osprey", "Pebblecreek", "Pinemarsh", "Quarrybank", "Quillon",
    "Ravenscar", "Redthorn", "Rookwood", "Saltmarsh", "Sandpiper", "Silverbirch", "Slatefield", "Sorrelton",
    "Stillwater", "Stonecress", "Sundial", "Tamarack", "Thistledown", "Thornbury Cross", "Tidewell", "Umberland",
    "Vantage Fork", "Wheatley", "Whitmoor", "Wildrye", "Willowmere", "Windrush", "Wrenfield", "Yarrowdale",
)  # fmt: skip
_BUSINESSES = (
    "Dental Group", "Outfitters", "Robotics", "Bakery", "Credit Union", "Physical Therapy", "Brewing", "Software",
    "Foods", "Hotels", "Medical Supply", "Realty", "Logistics", "Academy", "Foundation", "Furniture", "Optics",
    "Garden Centers", "Biotech", "Apparel", "Insurance Brokers", "Fitness", "Roasters", "Energy", "Property Group",
    "Veterinary", "Marine", "Toys", "Analytics", "Orchards",
)  # fmt: skip
_SURNAMES = (
    "Abernethy-Lund", "Bosgrave", "Castellane", "Dunmarrow", "Eskelby", "Farquell", "Gillhurst", "Hathersby",
    "Inverlow", "Jessamer", "Kilbrannan", "Lorrimore", "Marchbank", "Norquay", "Oddleifson", "Penhallick", "Quennell",
    "Rosslare", "Strathby", "Tremlow", "Ullensgrove", "Varnholt", "Wexcombe", "Yelland", "Zabrinski",
)  # fmt: skip
_GIVEN = (
    "Adair", "Blythe", "Corin", "Delphine", "Evander", "Fern", "Garrick", "Hollis", "Imogen", "Jorah", "Keziah",
    "Lorne", "Maeve", "Nestor", "Odette", "Piers", "Quinta", "Rafferty", "Sabine", "Tobias", "Una", "Verity",
    "Wendell", "Xanthe", "Yorick", "Zelda",
)  # fmt: skip
_INITIALS = "ABCDEFGHJKLMNPRSTW"
_FORMS = ("", "", " LLC", " Inc.", " Co")
_STREETS = ("Sample Street", "Placeholder Avenue", "Fixture Road", "Specimen Lane", "Example Boulevard")
_CITIES = (
    ("Springdale", "NY", "10999"), ("Millbrook", "OH", "43999"), ("Fairhaven", "TX", "75999"),
    ("Cedar Point", "CA", "90999"), ("Lakemont", "IL", "60999"),
)  # fmt: skip


class NameBook:
    """Hands out names, each once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._taken: set[str] = set()

    def business(self, trade: str = "") -> str:
        """A company name that no one here has yet, of a trade if one is given."""
        while True:
            stem = f"{pick(self._rng, _FIRST)} {trade or pick(self._rng, _BUSINESSES)}"
            form = pick(self._rng, _FORMS)
            # The stem is what is taken: "X LLC" beside "X Inc." would look like a seeded duplicate.
            if self._take(stem):
                return stem + form

    def person(self) -> str:
        """A person's name that no one here has yet."""
        while True:
            initial = pick(self._rng, _INITIALS)
            name = f"{pick(self._rng, _GIVEN)} {initial}. {pick(self._rng, _SURNAMES)}"
            if self._take(name):
                return name

    def reserve(self, name: str) -> str:
        """Take a fixed name, so that it is not handed out again."""
        self._take(name)
        return name

    def _take(self, name: str) -> bool:
        folded = name.casefold()
        if folded in self._taken:
            return False
        self._taken.add(folded)
        return True


def contact(rng: np.random.Generator, name: str) -> Json:
    """Mail, phone and address of a name, all unreachable."""
    city, state, postal_code = pick(rng, _CITIES)
    host = "".join(letter for letter in name.casefold() if letter.isalnum())
    return {
        "PrimaryEmailAddr": {"Address": f"accounts@{host}.example"},
        "PrimaryPhone": {"FreeFormNumber": f"(555) 555-01{int(rng.integers(100)):02d}"},
        "BillAddr": {
            "Line1": f"{int(rng.integers(1, 999))} {pick(rng, _STREETS)}",
            "City": city,
            "CountrySubDivisionCode": state,
            "PostalCode": postal_code,
            "Country": "US",
        },
    }


def same_company_respelled(name: str) -> str:
    """How a hurried second bookkeeper would key in the same company again."""
    stem = next((name.removesuffix(form) for form in _FORMS if form and name.endswith(form)), name)
    first, _, rest = stem.partition(" ")
    return f"{first.upper()} {rest} Co" if name == stem else f"{first.upper()} {rest}"
