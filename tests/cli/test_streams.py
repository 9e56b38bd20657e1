"""Whatever the standard streams are, the picture is made and the exit status is right."""

import os
import subprocess
import sys

import pytest

import dreamkit as dk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX shell")

QUICK = "dream --network dreamnet --layer conv1 --side 48 --steps 1 --octaves 1 -o out.png"


def shell(line: str, folder, **variables: str) -> subprocess.CompletedProcess:
    """A line of the shell in which `dreamkit` is our program, in a process of its own."""
    start = f'dreamkit() {{ "{sys.executable}" -m dreamkit "$@"; }}; '
    # not a letter outside ASCII, unless the test says otherwise
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    return subprocess.run(
        ["bash", "-c", start + line],
        cwd=folder,
        env={**os.environ, **plain, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        capture_output=True,
        timeout=120,
        check=False,
    )


# Most of these start a process that imports torch: the slow ones.
NOBODY = (
    "<&- >&- 2>&-", "2> >(:)", ">&-", "2>&-", ">&- 2>&-", "> >(:)", "2>/dev/full", ">/dev/full"
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("redirection", NOBODY)
def test_streams_that_nobody_reads(redirection, tmp_path):
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    done = shell(f"dreamkit {QUICK} {redirection}", tmp_path)
    assert done.returncode == 0, done
    assert (
        os.listdir(tmp_path) == ["out.png"] and dk.load_image(tmp_path / "out.png").shape[3] == 48
    )
    assert b"Error" not in done.stdout + done.stderr


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2> >(:)"])
@pytest.mark.slow
def test_a_mistake_has_its_status_though_nobody_reads_of_it(redirection, tmp_path):
    assert shell(f"dreamkit dream missing.png {redirection}", tmp_path).returncode == 2


LETTERS = {
    "ascii": b"\\xd7", "": b"\\xd7", "latin-1": b"\xd7", "cp437": b"\\xd7", "utf-8": b"\xc3\x97"
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("encoding", "times"), LETTERS.items())
def test_encodings_that_lack_letters(encoding, times, tmp_path):
    done = shell(f"dreamkit {QUICK}; dreamkit samples", tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and done.stdout.count(times) > 1, done
    assert dk.load_image(tmp_path / "out.png").shape[3] == 48


@pytest.mark.slow
def test_a_name_that_is_not_text(tmp_path):
    done = shell(f"dreamkit {QUICK[:-7]} $'caf\\xe9.png'", tmp_path, LC_ALL="C.UTF-8")
    assert done.returncode == 0 and b"caf\\udce9.png" in done.stdout, done


def test_what_is_printed_never_lands_in_a_file(tmp_path):
    """Without its number taken, a file that is opened later would be stderr."""
    code = (
        "import os, sys; from dreamkit.cli.streams import repair; repair(); "
        "print('over'); print('over', file=sys.stderr); file = open('kept', 'w'); "
        "os.write(1, b'x'); os.write(2, b'x'); sys.exit(file.fileno() < 3)"
    )
    done = shell(f'"{sys.executable}" -c "{code}" <&- >&- 2>&-', tmp_path)
    assert done.returncode == 0 and (tmp_path / "kept").read_text() == ""


@pytest.mark.parametrize(
    "change",
    [
        "f = os.open('seen', os.O_WRONLY); os.dup2(f, 1)",  # still a file
        "r, w = os.pipe(); os.dup2(w, 1)",  # what was a file is a pipe now, as in a forked process
        "r, w = os.pipe(); os.dup2(w, 1); os.close(r)",  # and one that nobody reads
        "sys.stdout.close()",
        "sys.stdout = None",
        "os.close(1)",
        "import io; sys.stdout = io.StringIO()",  # a notebook's stream has no file
    ],
)
def test_a_stream_that_changed_since_python_began(change, tmp_path):
    """Python asks for its position, which a pipe has not."""
    code = (
        f"import os, sys; print('before', flush=True); {change}; "
        "from dreamkit.cli.streams import repair; "
        "from dreamkit.cli.console import print_line, run; "
        "repair(); status = run(lambda: print_line('3' + chr(215))); os._exit(status)"
    )
    (tmp_path / "seen").touch()
    done = shell(f'"{sys.executable}" -c "{code}" > out', tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stderr == b"", done


@pytest.mark.slow
def test_a_reader_that_wants_one_line(tmp_path):
    """Whether a list is cut depends on who is faster; a picture is made in any case."""
    for command, first, statuses in ((QUICK, b"out.png", {0}), ("samples", b"china", {0, 1})):
        done = shell(f"dreamkit {command} | head -1; exit ${{PIPESTATUS[0]}}", tmp_path)
        assert done.returncode in statuses and done.stdout.startswith(first), done
        assert b"Error" not in done.stderr
