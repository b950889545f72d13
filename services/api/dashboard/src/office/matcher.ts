/** Which alerts a silence means: in words, and whether it fits one. */
import type { Matcher } from "../api/office";
import type { AlertAnswer } from "../api/types";
import { assetName, kindName, lifelineName, zoneName } from "../city/directory";
import { colon, word } from "../words/language";

/** All that is given has to fit; an alert that several sensors tell is meant only without a sensor. */
export function fits(matcher: Matcher, alert: AlertAnswer): boolean {
  return (
    (!matcher.lifeline || matcher.lifeline === alert.lifeline) &&
    (!matcher.zone || matcher.zone === alert.zone) &&
    (!matcher.asset || matcher.asset === alert.asset) &&
    (!matcher.kind || matcher.kind === alert.kind) &&
    (!matcher.sensor || (alert.sensors.length === 1 && alert.sensors[0] === matcher.sensor))
  );
}

/** The given parts with their names, widest first. */
export function described(matcher: Matcher): string[] {
  const part = (name: string, value: string): string => `${name}${colon()}${value}`;
  return [
    matcher.lifeline && part(word("filter.lifeline"), lifelineName(matcher.lifeline)),
    matcher.zone && part(word("alert.zone"), zoneName(matcher.zone)),
    matcher.asset && part(word("sensor.asset"), assetName(matcher.asset)),
    matcher.kind && part(word("silence.kind-of-alert"), kindName(matcher.kind, matcher.lifeline)),
    matcher.sensor && part(word("sensor"), matcher.sensor),
  ].filter((one): one is string => Boolean(one));
}
