"""Every channel by name."""

from collections.abc import Mapping

from services.alerts.notify.channels.alertmanager import AlertmanagerChannel
from services.alerts.notify.channels.cap import CapChannel
from services.alerts.notify.channels.contract import ChannelKind
from services.alerts.notify.channels.dingtalk import DingTalkChannel
from services.alerts.notify.channels.feishu import FeishuChannel
from services.alerts.notify.channels.mail import MailChannel
from services.alerts.notify.channels.template import TemplateChannel
from services.alerts.notify.channels.webhook import WebhookChannel
from services.alerts.notify.channels.wecom import WeComChannel
from services.alerts.notify.channels.zone_state import ZoneStateChannel
from services.core.channel import Channel

CHANNELS: Mapping[Channel, ChannelKind] = {
    Channel.WEBHOOK: WebhookChannel(),
    Channel.ALERTMANAGER: AlertmanagerChannel(),
    Channel.DINGTALK: DingTalkChannel(),
    Channel.WECOM: WeComChannel(),
    Channel.FEISHU: FeishuChannel(),
    Channel.EMAIL: MailChannel(),
    Channel.SMS: TemplateChannel(),
    Channel.VOICE: TemplateChannel(),
    Channel.MQTT: ZoneStateChannel(),
    Channel.CAP: CapChannel(),
}
