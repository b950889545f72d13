"""Text that people read, in both languages of the service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in English and in Chinese (zh-CN)."""

    en: str
    zh: str

    def as_json(self) -> dict[str, str]:
        """``{"en": …, "zh": …}``, as every API answer and webhook carries it."""
        return {"en": self.en, "zh": self.zh}
