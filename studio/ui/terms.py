"""The field's terms in the page's own sentences: resting on one, or a tap, explains it in the glossary's words."""

import html
import re

TERMS = {
    "latent code": "The numbers that a generator draws a picture from.",
    "Z": "The space of random codes that a generator begins with; each z is drawn from a normal distribution.",
    "W": "What the mapping network makes of z: one vector, in which the factors of a picture are less entangled.",
    "W+": "A w of its own for every layer.",
    "S": "What each layer makes of its w: one scale for each channel.",
    "psi": "Drawing codes towards the average: safer pictures, and more alike.",
    "sigma": "The unit in which edits are counted: how far faces usually differ along a direction.",
    "stylemap": "A code with height and width: a style for every place of the picture; its resolution is the number of cells along a side.",
    "LPIPS": "A distance between pictures by what a network sees in them; lower is more alike.",
    "identity distance": "How far two faces are apart for a network that recognises people; 0 is the same.",
}
"""What each of them means, as `docs/glossary.md` says it."""

_FORM = re.compile("|".join(rf"(?<![\w+<]){re.escape(term)}(?![\w+])" for term in sorted(TERMS, key=len, reverse=True)), re.IGNORECASE)


def explained(prose: str) -> str:
    """HTML with the first of each term made explainable; what stands inside of tags stays.

    Example:
        >>> "title=" in explained("Sliders are in sigma.")
        True
    """
    seen: set[str] = set()

    def mark(found: re.Match[str]) -> str:
        term = next((name for name in TERMS if name == found[0]), next((name for name in TERMS if name.lower() == found[0].lower()), ""))
        if term in seen or (len(term) < 3 and term != found[0]):  # one letter says something else in small
            return found[0]
        seen.add(term)
        return f"<abbr class='term' tabindex='0' title='{html.escape(TERMS[term], quote=True)}'>{found[0]}</abbr>"

    return "".join(part if part.startswith("<") else _FORM.sub(mark, part) for part in re.split(r"(<[^>]*>)", prose))
