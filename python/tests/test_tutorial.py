"""The tutorial, as it is written: the blocks of its page, and the program in Examples.

AIT_TUTORIAL names the page; without it, `shared/tutorial.rst` beside the checkout is taken, if it
is there. On a machine without a GPU `.cuda()` does nothing and times are those of the host's clock.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(ROOT, "Examples", "tutorial.py")
PAGE = os.environ.get("AIT_TUTORIAL") or os.path.join(
    os.path.dirname(ROOT), "shared", "tutorial.rst"
)

# Makes the identities, then runs what is on the standard input as the main program. PyTorch is timed
# for some calls of the thousand: in float16 on a processor, a call can take half a second.
_RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import torch_on_cpu
torch_on_cpu.install()
from aitemplate.testing import benchmark_pt
whole = benchmark_pt.benchmark_torch_function
benchmark_pt.benchmark_torch_function = lambda iters, *rest: whole(min(iters, 10), *rest)
exec(compile(sys.stdin.read(), "tutorial", "exec"), {"__name__": "__main__"})
"""


def code_blocks(page: str) -> str:
    """The Python of a page in reStructuredText: its code blocks, one after the other."""
    blocks, inside = [], False
    for line in page.splitlines():
        if line.startswith(".. code-block:: python"):
            inside = True
            blocks.append([])
        elif inside and (line.startswith(" ") or not line.strip()):
            blocks[-1].append(line)
        else:
            inside = False
    return "\n".join(textwrap.dedent("\n".join(block)) for block in blocks)


def run(program: str) -> str:
    """What a program prints; raises with its errors if it fails."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        path for path in (os.path.dirname(HERE), environment.get("PYTHONPATH")) if path
    )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _RUN, HERE],
            input=program,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        raise AssertionError(f"the tutorial ends with {done.returncode}:\n{done.stderr}")
    return done.stdout


class TutorialTests(unittest.TestCase):
    """The tutorial prints that results agree, and two times."""

    def setUp(self) -> None:
        try:
            import torch  # noqa: F401
        except ImportError:
            self.skipTest("the tutorial is about PyTorch, which is not installed")

    def check(self, program: str) -> None:
        """Runs a program and looks at what it prints."""
        output = run(program)
        self.assertRegex(output, r"(?m)^True$", output)
        for name in ("AITemplate time", "PyTorch eager time"):
            found = re.search(rf"(?m)^{name}: ([0-9.e+-]+) ms/iter$", output)
            self.assertIsNotNone(found, output)
            self.assertGreater(float(found.group(1)), 0)
        print(output)

    def test_tutorial(self) -> None:
        """The blocks of the page as they are, else the program in Examples, which is the same."""
        path = PAGE if os.path.exists(PAGE) else PROGRAM
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.check(code_blocks(text) if path == PAGE else text)

    def test_program(self) -> None:
        """The program in Examples has the page's code, word for word."""
        if not os.path.exists(PAGE):
            self.skipTest(f"there is no page {PAGE}: name one by AIT_TUTORIAL")
        with open(PAGE, encoding="utf-8") as page, open(PROGRAM, encoding="utf-8") as program:
            expected = ast.parse(code_blocks(page.read()))
            found = ast.parse(program.read())
        # The program has a docstring besides.
        self.assertEqual(ast.dump(ast.Module(found.body[1:], [])), ast.dump(expected))


if __name__ == "__main__":
    unittest.main()
