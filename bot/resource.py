"""Where the files that travel with the code are: in the checkout, or in the installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).parent
# Directory in the wheel -> directory in a checkout.
IN_CHECKOUT = {
    "prompts": "prompts",
    "schemas": "schemas",
    "synapse-config": "synapse-config",
    "demo": "deploy/demo",
}


def resource(name: str) -> Path:
    """Return the directory of the files called `name` (a key of `IN_CHECKOUT`)."""
    packaged = PACKAGE / "resources" / name
    return packaged if packaged.is_dir() else PACKAGE.parent / IN_CHECKOUT[name]
