"""What a search takes its model's faults and its noise to be, chosen by all that it remembers."""

from services.alerts.hydraulics.evidence import summed
from services.alerts.hydraulics.learning import Likeliest, likeliest
from services.alerts.hydraulics.noise import lasting_inflation
from services.alerts.hydraulics.picture import Picture


def likeliest_beliefs(picture: Picture, *, leaking: bool = False) -> Likeliest:
    """The beliefs that make what is remembered likeliest, if something leaks in it that was not found, or not.

    Raises:
        ValueError: nothing is remembered that says anything.
    """
    everything = summed(part.evidence for part in picture.ledger.parts if part.evidence is not None)
    return likeliest(everything, picture.maker.doubts, picture.active(), leaking=leaking)


def believe(picture: Picture, chosen: Likeliest) -> None:
    """Take beliefs; noise that lasts for hours counts as what it is over a day where that is more."""
    picture.beliefs, picture.inflation = chosen.beliefs, chosen.inflation
    lasting = lasting_inflation(picture.ledger.parts, picture.scales().doubts)
    picture.inflation = max(chosen.inflation, lasting)
