"""What the parts of a plant have recorded – actions of supports, webs, holes, patrols, trips – in one form."""

from __future__ import annotations

from simulators.physics.longwall.face import Longwall
from simulators.physics.longwall.moves import DrumCorrection, Event, SupportAction
from simulators.physics.record import Record
from simulators.plant.plant import Plant


class Recorder:
    """Of one plant, from now on, in steps of its present length: faces tell the number of a step, no instant."""

    def __init__(self, plant: Plant) -> None:
        self._parts = plant.engine.parts
        self._start_us, self._step_us = plant.now_us, round(plant.engine.dt * 1e6)
        self._made = {id(part): part.steps for part in self._parts if isinstance(part, Longwall)}
        self.take()  # what was before is not of this record

    def take(self) -> list[Record]:
        """All since this was last asked."""
        found: list[Record] = []
        for part in self._parts:
            if isinstance(part, Longwall):
                found += [self._of_face(part, event) for event in part.events()]
            elif hasattr(part, "events"):
                found += part.events()
        return found

    def _of_face(self, face: Longwall, event: Event) -> Record:
        """`action` and `web` are events of the templates; a corrected drum height is only of the truth."""
        at = self._start_us + (event.step - self._made[id(face)]) * self._step_us
        if isinstance(event, SupportAction):
            facts: dict[str, float | str] = {"action": event.action, "source": event.source, "kind": event.kind}
            return Record(face.design.supports.names[event.support], "action", at, at, facts)
        if isinstance(event, DrumCorrection):
            facts = {"position": event.position, "source": event.source}
            return Record(face.design.shearer.id, "drum_correction", at, at, facts)
        return Record(face.design.shearer.id, "web", at, at, {"number": event.number, "tonnes": event.tonnes})
