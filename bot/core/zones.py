"""Time zones as people name them: by a city, a country that has one zone only, or the IANA id."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.core.spelling import bare_words

SUGGESTED = 3
LONGEST_NAME = 4  # words: "port of spain", "ho chi minh city"

# Cities and countries by other names than the IANA id's own, with the id's city.
_ALSO = {
    "Europe/Berlin": "germany deutschland munich münchen muenchen hamburg cologne köln koeln frankfurt stuttgart "
    "düsseldorf duesseldorf leipzig dresden hannover hanover nürnberg nuremberg bremen bonn essen dortmund freiburg",
    "Europe/Vienna": "austria österreich oesterreich wien graz linz salzburg innsbruck",
    "Europe/Zurich": "switzerland schweiz suisse zürich zuerich bern berne basel genf geneva lausanne luzern lugano",
    "Europe/Lisbon": "portugal lissabon lisboa porto faro braga coimbra",
    "Europe/London": "uk england scotland schottland wales großbritannien grossbritannien manchester birmingham "
    "glasgow edinburgh liverpool leeds bristol cardiff oxford cambridge",
    "Europe/Dublin": "ireland irland cork galway",
    "Europe/Paris": "france frankreich lyon marseille toulouse bordeaux nizza nice strasbourg straßburg strassburg",
    "Europe/Madrid": "barcelona sevilla seville valencia malaga mallorca palma bilbao granada",
    "Europe/Rome": "italy italien rom roma milan milano mailand naples napoli neapel turin torino florence florenz "
    "firenze venice venezia venedig bologna palermo",
    "Europe/Amsterdam": "netherlands niederlande holland rotterdam utrecht eindhoven",
    "Europe/Brussels": "belgium belgien brüssel bruessel bruxelles antwerp antwerpen ghent gent",
    "Europe/Copenhagen": "denmark dänemark daenemark kopenhagen københavn aarhus",
    "Europe/Stockholm": "sweden schweden göteborg gothenburg malmö malmo",
    "Europe/Oslo": "norway norwegen bergen trondheim",
    "Europe/Helsinki": "finland finnland tampere",
    "Europe/Warsaw": "poland polen warschau warszawa krakow krakau kraków danzig gdansk wroclaw breslau poznan",
    "Europe/Prague": "czechia tschechien prag praha brno brünn",
    "Europe/Budapest": "hungary ungarn",
    "Europe/Bucharest": "romania rumänien bukarest cluj",
    "Europe/Athens": "greece griechenland athen thessaloniki crete kreta",
    "Europe/Istanbul": "turkey türkei tuerkei ankara izmir antalya",
    "Europe/Kyiv": "ukraine kiew lviv lemberg odessa odesa kharkiv",
    "Europe/Moscow": "moskau petersburg",
    "Europe/Zagreb": "croatia kroatien split",
    "Europe/Belgrade": "serbia serbien belgrad",
    "Europe/Sofia": "bulgaria bulgarien",
    "Europe/Luxembourg": "luxemburg",
    "America/New_York": "nyc boston philadelphia washington miami atlanta orlando charlotte pittsburgh cleveland "
    "brooklyn manhattan",
    "America/Chicago": "dallas houston austin minneapolis milwaukee nashville memphis",
    "America/Denver": "utah albuquerque",
    "America/Phoenix": "tucson",
    "America/Los_Angeles": "la seattle portland oakland sacramento",
    "America/Toronto": "ottawa montreal québec quebec",
    "America/Edmonton": "calgary",
    "America/Sao_Paulo": "brasilia",
    "America/Mexico_City": "guadalajara",
    "America/Argentina/Buenos_Aires": "cordoba rosario",
    "Asia/Kolkata": "india indien mumbai delhi bangalore bengaluru chennai hyderabad pune",
    "Asia/Tokyo": "japan osaka kyoto tokio",
    "Asia/Seoul": "korea busan",
    "Asia/Shanghai": "china peking beijing shenzhen guangzhou",
    "Asia/Singapore": "singapur",
    "Asia/Dubai": "abudhabi",
    "Asia/Jerusalem": "israel haifa",
    "Asia/Ho_Chi_Minh": "vietnam hanoi",
    "Asia/Bangkok": "thailand phuket",
    "Asia/Manila": "philippines philippinen",
    "Australia/Sydney": "canberra",
    "Australia/Brisbane": "cairns",
    "Pacific/Honolulu": "hawaii",
    "Pacific/Auckland": "wellington christchurch",
    "Africa/Cairo": "egypt ägypten kairo alexandria",
    "Africa/Johannesburg": "durban pretoria",
    "Africa/Nairobi": "kenya kenia",
    "Africa/Lagos": "nigeria abuja",
    "Africa/Casablanca": "morocco marokko marrakesh marrakech rabat",
}
_ALSO_PHRASES = {
    "new york city": "America/New_York",
    "washington dc": "America/New_York",
    "san francisco": "America/Los_Angeles",
    "san diego": "America/Los_Angeles",
    "las vegas": "America/Los_Angeles",
    "salt lake city": "America/Denver",
    "new orleans": "America/Chicago",
    "san antonio": "America/Chicago",
    "rio de janeiro": "America/Sao_Paulo",
    "cape town": "Africa/Johannesburg",
    "kapstadt": "Africa/Johannesburg",
    "new zealand": "Pacific/Auckland",
    "neuseeland": "Pacific/Auckland",
    "new delhi": "Asia/Kolkata",
    "abu dhabi": "Asia/Dubai",
    "tel aviv": "Asia/Jerusalem",
    "hong kong": "Asia/Hong_Kong",
    "south korea": "Asia/Seoul",
    "frankfurt am main": "Europe/Berlin",
    "den haag": "Europe/Amsterdam",
    "the hague": "Europe/Amsterdam",
    "st petersburg": "Europe/Moscow",
    "saint petersburg": "Europe/Moscow",
    "united kingdom": "Europe/London",
    "great britain": "Europe/London",
    "utc": "UTC",
    "gmt": "UTC",
}
# Countries with several zones: nobody can tell which one is meant.
_SEVERAL = {
    "usa": ("New York", "Chicago", "Los Angeles"),
    "us": ("New York", "Chicago", "Los Angeles"),
    "america": ("New York", "Chicago", "Los Angeles"),
    "amerika": ("New York", "Chicago", "Los Angeles"),
    "canada": ("Toronto", "Winnipeg", "Vancouver"),
    "kanada": ("Toronto", "Winnipeg", "Vancouver"),
    "australia": ("Sydney", "Adelaide", "Perth"),
    "australien": ("Sydney", "Adelaide", "Perth"),
    "brazil": ("Sao Paulo", "Manaus", "Fortaleza"),
    "brasilien": ("Sao Paulo", "Manaus", "Fortaleza"),
    "mexico": ("Mexico City", "Cancun", "Tijuana"),
    "mexiko": ("Mexico City", "Cancun", "Tijuana"),
    "russia": ("Moscow", "Yekaterinburg", "Vladivostok"),
    "russland": ("Moscow", "Yekaterinburg", "Vladivostok"),
    "spain": ("Madrid", "Canary"),
    "spanien": ("Madrid", "Canary"),
    "indonesia": ("Jakarta", "Makassar", "Jayapura"),
    "indonesien": ("Jakarta", "Makassar", "Jayapura"),
    "est": ("New York", "Toronto", "Jamaica"),
    "cst": ("Chicago", "Mexico City", "Shanghai"),
    "pst": ("Los Angeles", "Vancouver", "Tijuana"),
    "cet": ("Berlin", "Paris", "Madrid"),
    "mez": ("Berlin", "Vienna", "Zurich"),
}
# Areas of the database that hold aliases without a city, or offsets with the sign the wrong way round.
_NOT_A_PLACE = ("Etc/", "SystemV/", "US/", "Canada/", "Mexico/", "Brazil/", "Chile/", "posix/", "right/")


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """The one zone that was meant."""

    id: str

    @property
    def city(self) -> str:
        """Its city, as people read it."""
        return self.id.rsplit("/", 1)[-1].replace("_", " ")


@dataclass(frozen=True, kw_only=True, slots=True)
class NoZone:
    """None or several could be meant; these would be understood."""

    suggestions: tuple[str, ...]


def find_zone(text: str) -> Zone | NoZone:
    """Find the time zone that somebody names."""
    typed, form = text.strip(), bare_words(text)
    if typed.lower() in _ids():
        return Zone(id=_ids()[typed.lower()])
    if form in _SEVERAL:
        return NoZone(suggestions=_SEVERAL[form])
    found = _places().get(form, ())
    if len(found) == 1:
        return Zone(id=found[0])
    if found:
        return NoZone(suggestions=found[:SUGGESTED])
    close = get_close_matches(form, _places(), n=SUGGESTED, cutoff=0.72)
    return NoZone(suggestions=tuple(each.title() for each in close))


def looks_like_place(text: str) -> bool:
    """Tell whether a text may name a place: one that is known, one that is nearly right, or a single word."""
    words = len(bare_words(text).split())
    if not 0 < words <= LONGEST_NAME:
        return False
    found = find_zone(text)
    return isinstance(found, Zone) or bool(found.suggestions) or words == 1


@cache
def _ids() -> dict[str, str]:
    usable = [name for name in available_timezones() if "/" in name and not name.startswith(_NOT_A_PLACE)]
    return {name.lower(): name for name in (*usable, "UTC")}


@cache
def _places() -> dict[str, tuple[str, ...]]:
    """Every name of a place with its zones; several only where their clocks differ."""
    places: dict[str, list[str]] = {}
    for name in sorted(_ids().values(), key=lambda name: (name.count("/"), name)):
        places.setdefault(bare_words(name.rsplit("/", 1)[-1].replace("_", " ")), []).append(name)
    found = {place: _distinct(names) for place, names in places.items()}
    for zone, names in _ALSO.items():
        found.update(dict.fromkeys(map(bare_words, names.split()), (zone,)))
    found.update({bare_words(name): (zone,) for name, zone in _ALSO_PHRASES.items()})
    return found


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Leave out the zones whose clocks show the same as an earlier one's, now and in the years around."""
    kept: dict[tuple[timedelta | None, ...], str] = {}
    for name in names:
        zone = ZoneInfo(name)
        clocks = tuple(
            datetime(year, month, 1, tzinfo=UTC).astimezone(zone).utcoffset()
            for year in (2025, 2026)
            for month in range(1, 13)
        )
        kept.setdefault(clocks, name)
    return tuple(kept.values())
