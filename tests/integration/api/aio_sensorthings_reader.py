"""Reads a city as any user of aio-sensorthings would; run by the Python 3.13 that this client needs.

``python aio_sensorthings_reader.py ADDRESS DATASTREAM KEYFILE`` prints one JSON object.
"""

import asyncio
import json
import sys

from aio_sensorthings import BasicAuthProvider, STAClient, STAEntityType, STAHttpSource


async def read(address: str, datastream: str, key_file: str) -> dict[str, object]:
    """How many there are of each set, and what one stream has observed, page by page."""
    login = BasicAuthProvider("anybody", password_file=key_file)
    async with STAClient(address, auth_provider=login) as client:
        source = STAHttpSource(client)
        sets = [each for each in STAEntityType if each is not STAEntityType.OBSERVATION]
        found = {each.value: await source.get_entities(each, top=70) for each in sets}
        stream = await client.get(f"Datastreams('{datastream}')", params={"$expand": "Thing,ObservedProperty"})
        observed = await source.get_entities(
            STAEntityType.OBSERVATION,
            nav_path=f"Datastreams('{datastream}')/Observations",
            top=60,
            filter_="result gt 5",
        )
    return {
        "counts": {name: len({entity["@iot.id"] for entity in entities}) for name, entities in found.items()},
        "stream": {"name": stream["name"], "thing": stream["Thing"]["@iot.id"]},
        "results": sorted(observation["result"] for observation in observed),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(read(*sys.argv[1:]))))
