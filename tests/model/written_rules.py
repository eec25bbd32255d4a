"""Rules as tests write them, for a region of four agencies."""

from model.register import Agency, Place, Register
from model.rules import Rules, load_rules

AGENCIES = tuple(Agency(name, name.upper()) for name in ("dpupr", "perkim", "bbpjn", "dishub"))
PLACES = (Place("Telen", type="kecamatan"), Place("Telen", "Juk Ayaq"))


def rules_of(text: str) -> Rules:
    return load_rules(Register(AGENCIES, PLACES, files={"rules.toml": text.encode()}))


def rule(**parts: object) -> str:
    """A valid rule in TOML, with parts set anew, or left out where None."""
    values: dict[str, object] = {
        "id": "aturan",
        "agencies": ["dpupr"],
        "any": ["gang"],
        "move_to": "perkim",
        "sentence": "Kalimat.",
        "source": "BK",
    }
    lines = [f"{key} = {_toml(value)}" for key, value in (values | parts).items() if value is not None]
    return "\n".join(["[[rule]]", *lines]) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("'", '"') if isinstance(value, list) else f'"{value}"' if isinstance(value, str) else str(value)


def alarm(**parts: object) -> str:
    """A rule of emergency: the usual one, of no agency."""
    return rule(**({"agencies": None, "move_to": None, "emergency": True, "any": ["kebakaran"]} | parts))
