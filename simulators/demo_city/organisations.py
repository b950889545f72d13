"""Who owns, supervises, watches and commands in the fictional city. All names and numbers are invented."""

from simulators.city import Organisation, Person, Words

_ALL = ("water", "gas", "drainage", "bridge")

ORGANISATIONS = (
    Organisation("monitoring-centre", Words("City Lifeline Monitoring Centre", "城市生命线监测中心"), "centre", _ALL),
    Organisation("water-company", Words("Demo Water Company", "示例供水公司"), "owner", ("water",)),
    Organisation("gas-company", Words("Demo Gas Company", "示例燃气公司"), "owner", ("gas",)),
    Organisation("drainage-authority", Words("Demo Drainage Authority", "示例排水管理处"), "owner", ("drainage",)),
    Organisation("bridge-office", Words("Demo Bridge Office", "示例桥梁管理处"), "owner", ("bridge",)),
    Organisation("urban-bureau", Words("Urban Management Bureau", "城市管理局"), "regulator", _ALL),
    Organisation("emergency-bureau", Words("Emergency Management Bureau", "应急管理局"), "emergency", _ALL),
)

_POSTS = {
    "centre": (Words("Duty operator", "值班员"), Words("Analyst", "数据分析师"), Words("Shift leader", "值班长")),
    "owner": (Words("Duty engineer", "值班工程师"), Words("Repair crew leader", "抢修队长")),
    "regulator": (Words("Supervising officer", "监管专员"), Words("Head of section", "科长")),
    "emergency": (Words("Command officer", "指挥调度员"), Words("Bureau duty leader", "值班局领导")),
}
_NAMES = (
    "An Yiming", "Bai Ruoxi", "Chen Moke", "Deng Anlan", "Fang Zhixing", "Gu Qinghe", "He Shuyan", "Jiang Wanqing",
    "Kong Lingyu", "Lu Tianye", "Meng Xiaotang", "Ning Yuanshan", "Ouyang Su", "Pan Jingzhou", "Qiu Bohan",
)  # fmt: skip

_WARDEN = Words("Low point warden", "易涝点责任人")
_WARDENS = ("Ren Haoran", "Shen Yutong", "Tang Lihua", "Wu Siqi")


def people() -> tuple[Person, ...]:
    """Two or three persons per organisation, and a warden for the low points of each catchment."""
    posts = [(org, post) for org in ORGANISATIONS for post in _POSTS[org.role]]
    posts += [(org, _WARDEN) for org in ORGANISATIONS if org.id == "drainage-authority" for _ in _WARDENS]
    return tuple(
        Person(f"person-{i + 1:02d}", org.id, name, post, f"555-01{i + 1:02d}")
        for i, ((org, post), name) in enumerate(zip(posts, (*_NAMES, *_WARDENS), strict=True))
    )
