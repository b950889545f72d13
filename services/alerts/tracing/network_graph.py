"""The graph of a hydraulic model, for tracing where a city's register does not say more. Pure."""

from services.alerts.tracing.city_graph import CityGraph
from services.core.epanet_file import read_epanet
from services.core.network_assets import Place, assets_of
from services.core.network_file import NetworkFile


def city_graph_of(network_file: NetworkFile, zone: str = "network") -> CityGraph:
    """A graph of the file's nodes, pipes, pumps and valves, all in one zone; identifiers are those of the file.

    Raises:
        EpanetFileError: the file cannot be read.
    """
    assets, links = assets_of(read_epanet(network_file), Place(zone=zone))
    return CityGraph(assets, links)
