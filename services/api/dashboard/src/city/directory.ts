/** What things and people are called: organisations with their people, kinds of alert, places. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client";
import type { OrganisationAnswer } from "../api/office";
import type { LifelineId, Text } from "../api/types";
import { say } from "../words/language";
import { assetsById, lifelines, zones } from "./store";

export interface AlertKindAnswer {
  lifeline: LifelineId;
  kind: string;
  label: Text;
}

export const organisations = signal<readonly OrganisationAnswer[]>([]);
export const alertKinds = signal<readonly AlertKindAnswer[]>([]);

/** Reads the directory when a page that needs it is opened; without an answer identifiers stand for names. */
export function useDirectory(): void {
  useEffect(() => {
    get<OrganisationAnswer[]>("organisations").then(
      (all) => (organisations.value = all),
      () => undefined,
    );
    if (alertKinds.value.length) return;
    get<AlertKindAnswer[]>("alert-kinds").then(
      (all) => (alertKinds.value = all),
      () => undefined,
    );
  }, []);
}

export function organisationName(id: string): string {
  return say(organisations.value.find((one) => one.id === id)?.name) || id;
}

export function personName(organisation: string, id: string): string {
  const people = organisations.value.find((one) => one.id === organisation)?.people ?? [];
  return people.find((person) => person.id === id)?.name ?? id;
}

/** The words for a kind; kinds of several lifelines may share an identifier. */
export function kindName(kind: string, lifeline?: LifelineId | null): string {
  const known = alertKinds.value.filter((one) => one.kind === kind);
  return say((known.find((one) => one.lifeline === lifeline) ?? known[0])?.label) || kind;
}

export function lifelineName(id: LifelineId): string {
  return say(lifelines.value.find((one) => one.id === id)?.label) || id;
}

export function zoneName(id: string): string {
  return say(zones.value.get(id)?.name) || id;
}

export function assetName(id: string): string {
  return say(assetsById.value.get(id)?.properties.name) || id;
}
