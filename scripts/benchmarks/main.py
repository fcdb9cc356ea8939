"""The command line of `scripts/bench`."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.report import add_report_options, report

BENCHMARKS = {  # subcommand → its module, rounds, and what it measures
    "extract": ("extract", 5, "the extraction of dynamic and contextual vectors"),
    "query": ("query", 15, "queries, and the memory of each command"),
    "evaluate": ("evaluate", 5, "`wordvec evaluate`"),
    "map": ("map", 1, "the speed and quality of the map"),
    "import": ("imports", 3, "the reading of vectors in text"),
}


def main(arguments: list[str] | None = None) -> None:
    """Run a benchmark, or write docs/benchmarks.md from the records."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    for name, (module, rounds, text) in BENCHMARKS.items():
        add_benchmark(commands.add_parser(name, help=f"measure {text}"), module, rounds)
    add_report_options(commands.add_parser("report", help="write docs/benchmarks.md"))
    options = vars(parser.parse_args(arguments))
    name = options.pop("benchmark")
    if name == "report":
        report(**options)
    else:
        run(name, options)


def add_benchmark(parser: argparse.ArgumentParser, module: str, rounds: int) -> None:
    benchmark = import_module(f"benchmarks.{module}")
    parser.description = benchmark.__doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--parts", default=",".join(benchmark.PARTS), help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=rounds, help="turns (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the record (in .benchmarks)")
    parser.add_argument("--against", metavar="REVISION", help="measure this revision too, in turn")
    benchmark.add_options(parser)


def run(name: str, options: dict[str, object]) -> None:
    """Run a benchmark and write its record."""
    from benchmarks.harness import started

    benchmark = import_module(f"benchmarks.{BENCHMARKS[name][0]}")
    parts = str(options["parts"]).split(",")
    if unknown := set(parts) - set(benchmark.PARTS):
        names = ", ".join(benchmark.PARTS)
        raise SystemExit(f"unknown part: {', '.join(sorted(unknown))}; choose from {names}")
    with started(name, options) as bench:
        benchmark.measure(bench)
