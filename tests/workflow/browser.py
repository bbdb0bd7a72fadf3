"""A page in headless Chromium."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Written by Snakemake's own report when all is well.
EXPECTED = "cdn.tailwindcss.com should not be used in production"


def visit(page: Path, script: str, profile: Path):
    """Open a copy of a page beside it that runs `script`, the body of an async function, once it is loaded.

    Returns:
        What the script returns, and the console's messages.
    """
    probe = f"""<script>
    window.addEventListener("load", async () => {{
      const pause = () => new Promise((done) => setTimeout(done, 300));
      const told = document.createElement("pre");
      const found = await (async () => {{ {script} }})();
      told.id = "told";
      told.textContent = JSON.stringify(found);
      document.body.append(told);
    }});
    </script>"""
    head, end, tail = page.read_text().rpartition("</html>")
    copy = page.with_name(f"probed-{page.name}")
    copy.write_text(f"{head}{probe}{end}{tail}")
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=30000",
        "--enable-logging=stderr",
        f"--user-data-dir={profile}",
        "--dump-dom",
    ]
    try:
        for _ in range(3):  # on a busy machine Chromium may end before the script does
            shown = subprocess.run([CHROMIUM, *options, copy.as_uri()], capture_output=True, text=True, timeout=300)
            told = re.search(r'<pre id="told">(.*?)</pre>', shown.stdout, re.DOTALL)
            if told:
                break
    finally:
        copy.unlink()
    console = [line for line in shown.stderr.splitlines() if ":CONSOLE" in line and EXPECTED not in line]
    return json.loads(unescape(told[1])) if told else None, console
