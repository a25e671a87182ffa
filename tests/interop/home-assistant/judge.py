"""Lets Home Assistant itself judge MQTT discovery documents, and prints its verdict as JSON.

    python judge.py HOST PORT < cases.json > verdict.json

The cases are a list of {"topic", "payload", "states": [{"topic", "payload", "retain"}]}; payloads are strings.
What happens is what happens in a house: the documents are retained on the broker, Home Assistant's own core with its own
MQTT integration connects to it, discovers, and says that it is ready with its birth message. Then all that was announced
as disabled is enabled, as a user would do it, and the integration loaded again, so that every entity can show a state;
the states are published, and the registries and the state machine are read.

The broker must be an empty one. Nothing but Home Assistant decides here: no schema of ours, no mock of theirs.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import socket
import sys
import tempfile
from pathlib import Path

import paho.mqtt.client as paho
from homeassistant import bootstrap, config_entries, loader
from homeassistant.components import mqtt
from homeassistant.config import async_hass_config_yaml
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers import device_registry, entity_platform, entity_registry, issue_registry
from homeassistant.setup import async_setup_component

BIRTH_TOPIC = "homeassistant/status"
# Follows the states through the broker; when Home Assistant has it, it has them.
LAST_TOPIC = "judge/last"
# Home Assistant waits until discovery has been quiet for five seconds; the rest is for slow machines.
DEADLINE_S = 60


async def within_deadline(what: str, awaitable):
    try:
        return await asyncio.wait_for(awaitable, DEADLINE_S)
    except TimeoutError as error:
        raise RuntimeError(f"not within {DEADLINE_S} s: {what}") from error


class Complaints(logging.Handler):
    """Every log line that a user would see as a warning or worse, in order."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[dict] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += f" ({record.exc_info[1]!r})"
        self.lines.append({"level": record.levelname, "logger": record.name, "message": message})


class Publisher:
    """Another client of the broker: it publishes as a Pi does, and hears Home Assistant's birth."""

    def __init__(self, host: str, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._subscribed = asyncio.Event()
        self._births = asyncio.Queue()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(BIRTH_TOPIC, qos=1)
        self._client.on_subscribe = lambda *_: self._soon(self._subscribed.set)
        self._client.on_message = self._on_status
        self._client.connect(host, port)
        self._client.loop_start()

    def _on_status(self, _client, _userdata, message: paho.MQTTMessage) -> None:
        if message.payload == b"online":
            self._soon(self._births.put_nowait, None)

    def _soon(self, *what) -> None:
        """paho calls back in a thread of its own."""
        self._loop.call_soon_threadsafe(*what)

    async def ready(self) -> None:
        await within_deadline("the broker accepts a subscription", self._subscribed.wait())

    async def publish(self, topic: str, payload: str, retain: bool) -> None:
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        await self._loop.run_in_executor(None, info.wait_for_publish, DEADLINE_S)

    async def birth(self) -> None:
        await within_deadline("Home Assistant has settled and sends its birth message", self._births.get())

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def started(config_dir: str) -> HomeAssistant:
    """Home Assistant's core without any integration; what is missing is not installed."""
    hass = HomeAssistant(config_dir)
    loader.async_setup(hass)
    hass.config.skip_pip = True
    # The MQTT integration depends on the web server, which has to listen somewhere, and reads the file again.
    text = f"http:\n  server_host: 127.0.0.1\n  server_port: {free_port()}\n"
    Path(hass.config.path("configuration.yaml")).write_text(text, encoding="utf-8")
    config = await async_hass_config_yaml(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, config)
    await loader.async_get_custom_components(hass)
    await bootstrap.async_load_base_functionality(hass)
    await async_process_ha_core_config(hass, {})
    for domain in sorted(bootstrap.CORE_INTEGRATIONS):
        if not await async_setup_component(hass, domain, config):
            raise RuntimeError(f"Home Assistant did not set up {domain}")
    await hass.async_start()
    return hass


async def with_mqtt(hass: HomeAssistant, host: str, port: int) -> config_entries.ConfigEntry:
    """Adds the MQTT integration in the way of the user interface; it tries the broker before it accepts it."""
    flow = hass.config_entries.flow
    form = await flow.async_init("mqtt", context={"source": config_entries.SOURCE_USER})
    asked = form["data_schema"]({"broker": host, "port": port, "other_settings": {"set_client_cert": False, "set_ca_cert": "off"}})
    result = await flow.async_configure(form["flow_id"], asked)
    if result["type"] != "create_entry":
        raise RuntimeError(f"Home Assistant did not accept the broker: {result.get('errors')}")
    await hass.async_block_till_done()
    if (entry := result["result"]).state is not config_entries.ConfigEntryState.LOADED:
        raise RuntimeError(f"Home Assistant did not load its MQTT integration: {entry.state}, {entry.reason}")
    return entry


async def enable_all(hass: HomeAssistant, entry: config_entries.ConfigEntry) -> bool:
    """Whether there was any disabled entity; then Home Assistant discovers once more, from what is retained."""
    registry = entity_registry.async_get(hass)
    disabled = [e for e in entity_registry.async_entries_for_config_entry(registry, entry.entry_id) if e.disabled]
    for entity in disabled:
        registry.async_update_entity(entity.entity_id, disabled_by=None)
    if disabled:
        await hass.config_entries.async_reload(entry.entry_id)
    return bool(disabled)


async def publish_states(hass: HomeAssistant, publisher: Publisher, states: list[dict]) -> None:
    arrived, subscribed = asyncio.Event(), asyncio.Event()
    forget = await mqtt.async_subscribe(hass, LAST_TOPIC, lambda _: arrived.set(), qos=1)
    forget_done = mqtt.async_on_subscribe_done(hass, LAST_TOPIC, 1, subscribed.set)
    await within_deadline("Home Assistant subscribes", subscribed.wait())
    for state in states:
        await publisher.publish(state["topic"], state["payload"], state.get("retain", False))
    await publisher.publish(LAST_TOPIC, "last", False)
    await within_deadline("Home Assistant has the states", arrived.wait())
    await hass.async_block_till_done()
    forget()
    forget_done()


def announced_keys(cases: list[dict]) -> dict[tuple[str, str], set[str]]:
    """The keys each component was written with, by platform and unique id; nothing of what is no document."""
    keys = {}
    for case in cases:
        with contextlib.suppress(ValueError, AttributeError):
            for component in json.loads(case["payload"]).get("components", {}).values():
                keys[component.get("platform"), component.get("unique_id")] = set(component)
    return keys


def ignored_keys(hass: HomeAssistant, entity_id: str, announced: set[str]) -> list[str] | None:
    """Home Assistant drops unknown keys of a component without a word; only the entity's own, private configuration tells."""
    for platform in entity_platform.async_get_platforms(hass, "mqtt"):
        if (entity := platform.entities.get(entity_id)) is not None:
            return sorted(announced - set(entity._config) - {"platform"})
    return None


def entities_of(hass: HomeAssistant, entry_id: str, as_announced: dict, cases: list[dict]) -> list[dict]:
    registry, devices = entity_registry.async_get(hass), device_registry.async_get(hass)
    written = announced_keys(cases)
    found = []
    for entity in entity_registry.async_entries_for_config_entry(registry, entry_id):
        state = hass.states.get(entity.entity_id)
        attributes = dict(state.attributes) if state else {}
        device = devices.async_get(entity.device_id) if entity.device_id else None
        found.append(
            {
                "platform": entity.domain,
                "unique_id": entity.unique_id,
                "entity_id": entity.entity_id,
                "name": entity.original_name,
                "friendly_name": attributes.get("friendly_name"),
                "entity_category": entity.entity_category,
                "disabled_by": as_announced.get(entity.entity_id),
                "device_class": entity.original_device_class,
                "unit": attributes.get("unit_of_measurement"),
                "state": state.state if state else None,
                "attributes": attributes,
                "device": sorted(identifier for _, identifier in device.identifiers) if device else None,
                "ignored_keys": ignored_keys(hass, entity.entity_id, written.get((entity.domain, entity.unique_id), set())),
            }
        )
    return found


def devices_of(hass: HomeAssistant, entry_id: str) -> list[dict]:
    registry = device_registry.async_get(hass)
    return [
        {
            "identifiers": sorted(identifier for _, identifier in device.identifiers),
            "connections": sorted(list(connection) for connection in device.connections),
            "name": device.name,
            "manufacturer": device.manufacturer,
            "model": device.model,
            "serial_number": device.serial_number,
            "sw_version": device.sw_version,
            "via_device": sorted(identifier for _, identifier in registry.async_get(device.via_device_id).identifiers)
            if device.via_device_id
            else None,
        }
        for device in device_registry.async_entries_for_config_entry(registry, entry_id)
    ]


async def judge(host: str, port: int, cases: list[dict], config_dir: str, complaints: Complaints) -> dict:
    publisher = Publisher(host, port)
    await publisher.ready()
    for case in cases:
        await publisher.publish(case["topic"], case["payload"], True)

    hass = await started(config_dir)
    entry = await with_mqtt(hass, host, port)
    await publisher.birth()
    registry = entity_registry.async_get(hass)
    announced = entity_registry.async_entries_for_config_entry(registry, entry.entry_id)
    as_announced = {entity.entity_id: entity.disabled_by for entity in announced}
    if await enable_all(hass, entry):
        await publisher.birth()
    await publish_states(hass, publisher, [state for case in cases for state in case.get("states", [])])

    verdict = {
        "home_assistant": __version__,
        "entities": entities_of(hass, entry.entry_id, as_announced, cases),
        "devices": devices_of(hass, entry.entry_id),
        "issues": [i.issue_id for i in issue_registry.async_get(hass).issues.values() if i.domain == "mqtt"],
        "log": list(complaints.lines),
    }
    await hass.async_stop(force=True)
    publisher.stop()
    return verdict


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("host")
    arguments.add_argument("port", type=int)
    given = arguments.parse_args()
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    with tempfile.TemporaryDirectory() as config_dir:
        try:
            verdict = asyncio.run(judge(given.host, given.port, json.load(sys.stdin), config_dir, complaints))
        except Exception:
            json.dump(complaints.lines, sys.stderr, indent=1, ensure_ascii=False)
            raise
    json.dump(verdict, sys.stdout, indent=1, default=str, ensure_ascii=False)


if __name__ == "__main__":
    main()
