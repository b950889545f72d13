"""A row of eight manholes that drains through a pump station or freely to a river; with one side branch."""

HEAD = """
[OPTIONS]
FLOW_UNITS CMS
LINK_OFFSETS DEPTH
INFILTRATION HORTON
[RAINGAGES]
G INTENSITY 0:05 1 TIMESERIES r
"""


def sewers(*, pumped: bool = False) -> str:
    """M1 to M8 fall by 0.3 m each over 100 m; B1 joins at M4."""
    manholes = [f"M{k} {20 - 0.3 * k:.2f} 3.0 0 0 800" for k in range(1, 9)]
    if pumped:
        manholes.pop()
    sewers = [f"C{k} M{k} M{k + 1} 100 0.013 0 0 0 0" for k in range(1, 8)]
    shapes = [f"C{k} CIRCULAR {0.5 if k < 4 else 0.7} 0 0 0 1" for k in range(1, 8)]
    lines = [HEAD, "[SUBCATCHMENTS]"]
    lines += [f"S{k} G M{k} 0.8 60 150 0.6 0" for k in range(1, 9)] + ["SB G B1 0.8 60 150 0.6 0"]
    lines += ["[SUBAREAS]", *(f"S{k} 0.014 0.2 1.5 4 25 OUTLET" for k in (*range(1, 9), "B"))]
    lines += ["[INFILTRATION]", *(f"S{k} 60 6 4 7 0" for k in (*range(1, 9), "B"))]
    lines += ["[JUNCTIONS]", *manholes, "B1 19.2 3.0 0 0 800"]
    lines += ["[CONDUITS]", *sewers, "CB B1 M4 80 0.013 0 0 0 0"]
    shapes.append("CB CIRCULAR 0.4 0 0 0 1")
    if pumped:
        lines += ["CO CH O1 60 0.013 0 0 0 0", "[OUTFALLS]", "O1 15.0 FIXED 15.5 NO"]
        lines += ["[STORAGE]", "M8 17.6 4.0 0 FUNCTIONAL 0 1 40 0 0"]
        lines += ["[PUMPS]", "PU1 M8 CH PC ON 0.3 0.1", "[CURVES]", "PC PUMP4 0 0 0.1 0", "PC 0.8 1.2"]
        lines.insert(lines.index("[STORAGE]"), "")
        lines += ["[JUNCTIONS]", "CH 15.2 6.0 0 0 0"]
        shapes.append("CO CIRCULAR 1.2 0 0 0 1")
    else:
        lines += ["CO M8 O1 60 0.013 0 0 0 0", "[OUTFALLS]", "O1 17.2 FIXED 17.0 NO"]
        shapes.append("CO CIRCULAR 0.8 0 0 0 1")
    lines += ["[XSECTIONS]", *shapes, "[COORDINATES]"]
    lines += [f"M{k} {117 + 0.001 * k:.4f} 31.8" for k in range(1, 9)]
    return "\n".join(lines) + "\n"
