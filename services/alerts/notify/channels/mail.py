"""E-mail: a letter in both languages."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from services.alerts.notify.channels import words
from services.alerts.notify.channels.contract import Answer, Judgement, MailRequest, Message
from services.core.organisation import Receiver

_LONGEST_SUBJECT_BYTES = 300
_NEVER = frozenset({550, 551, 552, 553, 554})
"""SMTP replies that mean this mailbox will not take this letter, ever (RFC 5321, 4.2.3)."""


class MailChannel:
    """One letter to all addresses of the receiver."""

    pace = None

    def request(self, message: Message, receiver: Receiver) -> MailRequest:
        """Plain text; a letter sent twice has the same Message-ID, so that a mailbox shows it once.

        Raises:
            NotSendableError: the body is none of ours.
        """
        content = message.content()
        language = words.language_of(receiver.settings)
        headlines = words.in_language(words.headline_of(message.type, content), language)
        lines = [*headlines, ""]
        for paragraph in words.paragraphs_of(content):
            lines += [*words.in_language(paragraph, language), ""]
        if content.get("url"):
            lines += [str(content["url"]), ""]
        letter = EmailMessage()
        subject = " / ".join(" ".join(line.split()) for line in headlines)
        letter["Subject"] = words.cut_to_bytes(subject, _LONGEST_SUBJECT_BYTES)
        letter["Date"] = format_datetime(message.now)
        letter["Message-ID"] = f"<{message.id}@lifeline>"
        # Nobody's holiday answer comes back (RFC 3834).
        letter["Auto-Submitted"] = "auto-generated"
        letter["X-Lifeline-Type"] = message.type
        recipients = tuple(urlsplit(receiver.url).path.split(","))
        letter["To"] = ", ".join(recipients)
        letter.set_content("\n".join(lines), cte="base64")
        return MailRequest(recipients=recipients, letter=letter)

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """A reply of 2xx is delivered: the mail server has taken the letter on."""
        if 200 <= answer.status < 300:  # noqa: PLR2004  # the replies of success
            return Judgement(delivered=True)
        error = f"the mail server answered {answer.status}: {answer.text[:200]}"
        return Judgement(delivered=False, error=error, final=answer.status in _NEVER)
