"""`make contracts` runs this: write what is generated under `docs/`."""

from tests.contract.artefacts import files

texts = files.wanted()
for stray in files.present() - texts.keys():
    stray.unlink()
for path, text in texts.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
