"""A hook of MkDocs: the reference of the configuration, generated from its schema."""

import json
from typing import Any

from mkdocs.structure.files import File, Files

from bpstudy.config.study import schema_json

PAGE = "reference/configuration.md"
TITLE = """# Configuration

Every key of `config.yaml` and of overlays on it, generated from the schema that validates them. What stands in an
overlay replaces what `config.yaml` has; the comments in `config.yaml` say why each value is what it is.
"""


def on_files(files: Files, config: Any) -> Files:
    """Add the page to the site."""
    files.append(File.generated(config, PAGE, content=page()))
    return files


def page() -> str:
    """The reference as Markdown: a table for the whole and one for each section."""
    schema = json.loads(schema_json())
    parts = [TITLE, *_table("Top level", schema)]
    for name, section in sorted(schema["$defs"].items()):
        if "properties" in section:
            parts += [f"## {name}\n", section.get("description", "").split("\n\n")[0] + "\n", *_table("key", section)]
    return "\n".join(parts) + "\n"


def _table(heading: str, section: dict) -> list[str]:
    rows = [f"| {heading} | allowed | default | meaning |", "| --- | --- | --- | --- |"]
    required = section.get("required", [])
    for key, field in section["properties"].items():
        default = "" if key in required or "default" not in field else f"`{json.dumps(field['default'])}`"
        cells = (f"`{key}`", allowed(field), default, field.get("description", ""))
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return [*rows, ""]


def allowed(field: dict) -> str:
    """What a value may be, in words."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    for of in ("anyOf", "oneOf"):
        if of in field:
            return " or ".join(dict.fromkeys(map(allowed, field[of])))
    if field.get("type") == "array":
        items = field.get("items") or next(iter(field.get("prefixItems", [])), None)
        return "list" + (f" of {allowed(items)}" if isinstance(items, dict) else "")
    if field.get("type") == "object":
        values = field.get("additionalProperties")
        return f"names, each with {allowed(values)}" if isinstance(values, dict) else "names"
    if field.get("type") in ("integer", "number"):
        return field["type"] + _limits(field)
    return {"null": "`null`", "boolean": "`true` or `false`", "string": "text"}.get(field.get("type", ""), "anything")


def _limits(field: dict) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    ends = [f"{sign} {field[key]:g}" for key, sign in signs.items() if key in field and abs(field[key]) < 1e9]
    return f" {', '.join(ends)}" if ends else ""
