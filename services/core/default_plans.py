"""Response plans that every city starts with.

They are defaults, marked as such: drawn up from the steps that such plans share, not from one city's plan. Radius,
times and stock are to be set by each city.
"""

from collections.abc import Mapping

from services.core.lifeline import Lifeline
from services.core.organisation import OrganisationRole
from services.core.response_plan import KeptPlan, PlanMaterial, PlanStep, PlanText, ResponsePlan

_CENTRE, _OWNER = OrganisationRole.CENTRE, OrganisationRole.OWNER
_REGULATOR, _EMERGENCY = OrganisationRole.REGULATOR, OrganisationRole.EMERGENCY
_MINUTE = 60.0


def _step(minutes: float, role: OrganisationRole, en: str, zh: str) -> PlanStep:
    return PlanStep(label=PlanText(en=en, zh=zh), role=role, within_s=minutes * _MINUTE)


def _material(identifier: str, en: str, zh: str, needed: float, unit: str) -> PlanMaterial:
    return PlanMaterial(id=identifier, name=PlanText(en=en, zh=zh), needed=needed, unit=unit)


_GAS = ResponsePlan(
    lifeline=Lifeline.GAS,
    kind="gas-leak",
    severity_from=2,
    title=PlanText(en="Gas leak", zh="燃气泄漏应急预案"),
    steps=(
        _step(
            2, _CENTRE, "Call the gas company and confirm that a crew is on its way", "电话通知燃气公司并确认抢修队出发"
        ),
        _step(
            5,
            _OWNER,
            "Keep sparks away: no switches, no ignition, no telephones inside",
            "禁绝火源：禁动开关、禁点火、禁用手机",
        ),
        _step(15, _OWNER, "Cordon off the radius and measure its edge", "设置警戒区并检测边界浓度"),
        _step(20, _EMERGENCY, "Clear basements and closed rooms inside the radius", "疏散警戒区内地下室及密闭空间人员"),
        _step(30, _OWNER, "Shut the valves that the trace names", "关闭溯源给出的阀门"),
        _step(45, _OWNER, "Ventilate spaces and sample them in order", "强制通风并按顺序检测相邻空间"),
        _step(60, _REGULATOR, "Decide on traffic and on households without gas", "决定交通管制及停气用户安排"),
        _step(240, _OWNER, "Repair, test the pressure, and hand the order back", "修复、试压并反馈工单"),
    ),
    materials=(
        _material("gas-detector", "Portable gas detector", "便携式燃气检测仪", 2, "pcs"),
        _material("explosion-proof-fan", "Explosion-proof fan", "防爆风机", 1, "pcs"),
        _material("cordon-tape", "Cordon tape", "警戒带", 200, "m"),
        _material("repair-clamp", "Pipe repair clamp", "管道抢修卡箍", 2, "pcs"),
    ),
    exclusion_radius_m=50,
    public_message=PlanText(
        en="Gas leak: keep away from the marked area, use no flame or switch, and follow the crews' directions.",
        zh="发生燃气泄漏：请远离警戒区，勿动明火与电器开关，听从现场人员指挥。",
    ),
)
_WATER = ResponsePlan(
    lifeline=Lifeline.WATER,
    kind="leak-suspected",
    severity_from=2,
    title=PlanText(en="Water main burst", zh="供水爆管应急预案"),
    steps=(
        _step(5, _CENTRE, "Call the water company and name the likeliest place", "通知供水公司并告知最可能位置"),
        _step(30, _OWNER, "Close the valves that the trace names, the nearest first", "按溯源结果由近及远关阀"),
        _step(30, _OWNER, "Cordon off washed-out ground: the road may be hollow", "围护冲刷路面，谨防路面塌陷"),
        _step(45, _REGULATOR, "Divert traffic from the road above", "组织路面交通分流"),
        _step(
            60,
            _OWNER,
            "Tell hospitals and others without supply, and send water carts",
            "通知医院等停水用户并调度送水车",
        ),
        _step(480, _OWNER, "Repair, flush and test the water before it is let in", "修复、冲洗、水质检测后恢复供水"),
    ),
    materials=(
        _material("water-cart", "Water cart", "送水车", 1, "pcs"),
        _material("mobile-pump", "Mobile pump", "移动排水泵", 2, "pcs"),
        _material("repair-clamp", "Pipe repair clamp", "管道抢修卡箍", 2, "pcs"),
    ),
    exclusion_radius_m=20,
    public_message=PlanText(
        en="A water main has burst: supply is interrupted nearby, and the road may be hollow. Please keep away.",
        zh="供水主管爆管：周边停水，路面可能塌陷，请绕行。",
    ),
)
_FLOOD = ResponsePlan(
    lifeline=Lifeline.DRAINAGE,
    kind="waterlogging",
    severity_from=2,
    title=PlanText(en="Waterlogging", zh="城市内涝应急预案"),
    steps=(
        _step(5, _CENTRE, "Call the person of the low point and the pump crew", "通知易涝点责任人与排水抢险队"),
        _step(10, _OWNER, "Close the underpass with barriers and signs", "下穿通道设卡封闭并设警示牌"),
        _step(20, _OWNER, "Set mobile pumps up and start them", "架设并启动移动泵"),
        _step(20, _OWNER, "Open gullies and the screens before the outfall", "清疏雨水口与出水口格栅"),
        _step(30, _EMERGENCY, "Bring people out of basements and vehicles", "转移地下空间及被困车辆人员"),
        _step(30, _REGULATOR, "Divert traffic", "组织交通分流"),
        _step(240, _OWNER, "After the water: clean, inspect and reopen", "退水后清淤、检查并恢复通行"),
    ),
    materials=(
        _material("mobile-pump", "Mobile pump", "移动排水泵", 2, "pcs"),
        _material("sandbag", "Sandbag", "沙袋", 100, "pcs"),
        _material("barrier", "Barrier", "隔离护栏", 4, "pcs"),
    ),
    exclusion_radius_m=30,
    public_message=PlanText(
        en="The underpass is flooded and closed. Do not walk or drive into the water.",
        zh="该路段积水严重已封闭，切勿涉水通行。",
    ),
)
_BRIDGE = ResponsePlan(
    lifeline=Lifeline.BRIDGE,
    severity_from=3,
    title=PlanText(en="Bridge in danger", zh="桥梁险情应急预案"),
    steps=(
        _step(5, _CENTRE, "Look at the camera and at the sensors beside it", "调看视频并核对相邻传感器"),
        _step(10, _OWNER, "Close the bridge to heavy vehicles, or to all", "限制重车或全幅封闭桥梁"),
        _step(20, _REGULATOR, "Divert traffic at both ends, and ships below", "两端交通分流，桥下通航管制"),
        _step(60, _OWNER, "Inspect bearings, joints, cables and piers on site", "现场检查支座、伸缩缝、拉索与墩台"),
        _step(240, _REGULATOR, "Have a structural engineer judge before it is opened", "结构专家评估后决定是否开放"),
    ),
    materials=(
        _material("barrier", "Barrier", "隔离护栏", 8, "pcs"),
        _material("inspection-vehicle", "Bridge inspection vehicle", "桥梁检测车", 1, "pcs"),
    ),
    exclusion_radius_m=100,
    public_message=PlanText(
        en="The bridge is closed for safety. Please follow the diversion.",
        zh="桥梁因安全原因封闭，请按指示绕行。",
    ),
)
DEFAULT_PLANS: Mapping[str, KeptPlan] = {
    identifier: KeptPlan(identifier, 0, plan, is_default=True)
    for identifier, plan in {
        "default-gas-leak": _GAS,
        "default-water-burst": _WATER,
        "default-waterlogging": _FLOOD,
        "default-bridge": _BRIDGE,
    }.items()
}
