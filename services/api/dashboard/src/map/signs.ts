/** The signs of sensors, drawn here in the colours of the theme, each state with its own shape. */
import type { Severity } from "../api/types";
import { SEVERITY_SHAPES, STATE_SHAPES } from "../shell/marks";
import { colour } from "../shell/theme";

const FIELD = 20;
const SCALE = 2;

function canvas(): CanvasRenderingContext2D {
  const element = document.createElement("canvas");
  element.width = element.height = FIELD * SCALE;
  const pen = element.getContext("2d");
  if (!pen) throw new Error("this browser offers no canvas");
  pen.scale(SCALE, SCALE);
  pen.lineCap = "round";
  return pen;
}

function drawn(paint: (pen: CanvasRenderingContext2D) => void): ImageData {
  const pen = canvas();
  paint(pen);
  return pen.getImageData(0, 0, FIELD * SCALE, FIELD * SCALE);
}

function filled(shape: string, fill: string, rule: CanvasFillRule = "nonzero"): ImageData {
  return drawn((pen) => {
    const path = new Path2D(shape);
    pen.strokeStyle = colour("map-ground");
    pen.lineWidth = 2;
    pen.stroke(path);
    pen.fillStyle = fill;
    pen.fill(path, rule);
  });
}

function outlined(shape: string, line: string, width: number): ImageData {
  return drawn((pen) => {
    const path = new Path2D(shape);
    pen.strokeStyle = colour("map-ground");
    pen.lineWidth = width + 2.5;
    pen.stroke(path);
    pen.strokeStyle = line;
    pen.lineWidth = width;
    pen.stroke(path);
  });
}

function alarm(severity: Severity): ImageData {
  const shape = filled(SEVERITY_SHAPES[severity], colour(`severity-${severity}`));
  if (severity < 4) return shape;
  const pen = canvas();
  pen.putImageData(shape, 0, 0);
  pen.strokeStyle = colour("severity-inside");
  pen.lineWidth = 2.2;
  pen.stroke(new Path2D("M10 4.6v6.6M10 14.4v.6"));
  return pen.getImageData(0, 0, FIELD * SCALE, FIELD * SCALE);
}

export function signImages(): [string, ImageData][] {
  return [
    ["normal", filled(STATE_SHAPES.normal, colour("state-normal"))],
    ["attention", filled(STATE_SHAPES.attention, colour("state-attention"), "evenodd")],
    ["silent", outlined(STATE_SHAPES.silent, colour("state-silent"), 1.6)],
    ["fault", outlined(STATE_SHAPES.fault, colour("state-fault"), 2.4)],
    ["alarm-1", alarm(1)],
    ["alarm-2", alarm(2)],
    ["alarm-3", alarm(3)],
    ["alarm-4", alarm(4)],
  ];
}
