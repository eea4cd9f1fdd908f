"""Prints a YAML file as JSON."""

import json
import sys

import yaml


def main(path):
    with open(path, encoding="utf-8") as file:
        # A key that is no text, as `on` is none in YAML 1.1, becomes what JSON makes of it.
        json.dump(yaml.safe_load(file), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
