"""Group robots: their signatures, their codes, their limits."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.alerts.notify.channels import dingtalk, feishu
from services.alerts.notify.channels.catalogue import CHANNELS
from services.alerts.notify.channels.contract import Answer, HttpRequest, NotSendableError
from services.alerts.notify.channels.robot import PACE
from services.core.channel import ROBOTS, Channel
from tests.unit.notify.told import NOW, message, receiver

LONG = {"en": "a long text. " * 2000, "zh": "很长的文字。" * 2000}


def _sent(channel: Channel, url: str = "https://robot.example/send?key={{key}}", **more: Any) -> HttpRequest:
    request = CHANNELS[channel].request(more.pop("said", message()), receiver(channel, url, **more))
    assert isinstance(request, HttpRequest)
    return request


def test_dingtalk_is_signed_in_the_query_as_its_documentation_computes_it() -> None:
    request = _sent(Channel.DINGTALK, secret="SEC0123", secrets={"key": "token-1"})
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
    assert query["key"] == "token-1"
    assert query["timestamp"] == str(int(NOW.timestamp() * 1000))
    key, signed = b"SEC0123", f"{query['timestamp']}\nSEC0123".encode()
    assert base64.b64decode(query["sign"]) == hmac.new(key, signed, hashlib.sha256).digest()
    assert "sign" not in request.shown_url
    assert "sign" not in _sent(Channel.DINGTALK, secrets={"key": "token-1"}).url


def test_feishu_is_signed_in_the_body_as_its_documentation_computes_it() -> None:
    payload = json.loads(_sent(Channel.FEISHU, secret="FS0123", secrets={"key": "token-1"}).content)
    assert payload["timestamp"] == str(int(NOW.timestamp()))
    key = f"{payload['timestamp']}\nFS0123".encode()
    assert base64.b64decode(payload["sign"]) == hmac.new(key, b"", hashlib.sha256).digest()
    assert "sign" not in json.loads(_sent(Channel.FEISHU, secrets={"key": "token-1"}).content)


def test_the_two_signatures_are_not_each_others() -> None:
    assert dingtalk.sign("1599360473", "secret") != feishu.sign("1599360473", "secret")


@pytest.mark.parametrize("channel", sorted(ROBOTS))
@pytest.mark.parametrize(("language", "has", "has_not"), [("zh", "甲烷", "Methane"), ("en", "Methane", "甲烷")])
def test_robots_speak_the_language_that_is_wanted(channel: Channel, language: str, has: str, has_not: str) -> None:
    text = _sent(channel, settings={"language": language}, secrets={"key": "k"}).content.decode()
    assert has in text
    assert has_not not in text
    assert "https://city.example/#/alerts/7" in text


@pytest.mark.parametrize("channel", sorted(ROBOTS))
def test_an_exercise_is_called_one_before_anything_else(channel: Channel) -> None:
    text = _sent(channel, said=message(exercise=True), secrets={"key": "k"}).content.decode()
    assert "【演练】" in text
    assert "[EXERCISE]" in text
    assert "演练" not in _sent(channel, secrets={"key": "k"}).content.decode()


@pytest.mark.parametrize("channel", sorted(ROBOTS))
def test_a_long_message_fits_and_keeps_its_link(channel: Channel) -> None:
    content = _sent(channel, said=message(alert={"explanation": LONG}), secrets={"key": "k"}).content
    assert len(content) < 20_000
    assert "https://city.example/#/alerts/7" in content.decode()
    if channel is Channel.WECOM:
        assert len(json.loads(content)["markdown"]["content"].encode()) <= 4096


OK = {
    Channel.DINGTALK: '{"errcode":0,"errmsg":"ok"}',
    Channel.WECOM: '{"errcode":0,"errmsg":"ok"}',
    Channel.FEISHU: '{"code":0,"data":{},"msg":"success"}',
}
REFUSED = {
    Channel.DINGTALK: '{"errcode":310000,"errmsg":"sign not match"}',
    Channel.WECOM: '{"errcode":93000,"errmsg":"invalid webhook url"}',
    Channel.FEISHU: '{"code":19021,"msg":"sign match fail"}',
}
TOO_MANY = {
    Channel.DINGTALK: '{"errcode":130101,"errmsg":"send too fast"}',
    Channel.WECOM: '{"errcode":45009,"errmsg":"api freq out of limit"}',
    Channel.FEISHU: '{"code":9499,"msg":"too many request"}',
}


@pytest.mark.parametrize("channel", sorted(ROBOTS))
def test_http_200_is_not_yet_delivered(channel: Channel) -> None:
    kind, to = CHANNELS[channel], receiver(channel)
    assert kind.judge(Answer(200, OK[channel]), to, NOW).delivered
    refused = kind.judge(Answer(200, REFUSED[channel]), to, NOW)
    assert not refused.delivered
    assert refused.error is not None
    assert str(json.loads(REFUSED[channel]).popitem()[1]) in refused.error
    assert refused.wait is None
    later = kind.judge(Answer(200, TOO_MANY[channel]), to, NOW)
    assert not later.delivered
    assert later.wait is not None
    assert later.wait.total_seconds() == 60


@pytest.mark.parametrize("channel", sorted(ROBOTS))
@pytest.mark.parametrize("text", ["", "ok", "[]", "{}", '{"errcode":false,"code":false}', '{"errcode":"0","code":"0"}'])
def test_an_answer_that_is_none_is_a_failure(channel: Channel, text: str) -> None:
    assert not CHANNELS[channel].judge(Answer(200, text), receiver(channel), NOW).delivered


def test_feishus_older_answer_is_understood() -> None:
    answer = Answer(200, '{"StatusCode":0,"StatusMessage":"success"}')
    assert CHANNELS[Channel.FEISHU].judge(answer, receiver(Channel.FEISHU), NOW).delivered


def test_the_pace_allows_twenty_in_no_minute_more() -> None:
    assert PACE.burst + 60 / PACE.interval.total_seconds() <= 20


def test_a_body_that_is_none_of_ours_cannot_be_told() -> None:
    broken = message()
    object.__setattr__(broken, "body", "<alert/>")
    with pytest.raises(NotSendableError):
        _sent(Channel.WECOM, said=broken)
