#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cppcheck over the layers and the targets."""

import subprocess

import tree


def main():
    tree.need("cppcheck")
    arguments = [
        "cppcheck", "--quiet", "-j2", "--error-exitcode=1", "--inline-suppr", "--std=c11",
        "--enable=warning,performance,portability,style",
        f"--suppressions-list={tree.ROOT}/tests/lint/cppcheck.suppressions",
        "--template={file}:{line}: {severity}: {message} [{id}]", "-D_GNU_SOURCE",
        # It reads no headers of the system, so macros that make types need defining here.
        "-DLIST_HEAD(name,type)=struct type *",
        "-DSTAILQ_HEAD(name,type)=struct type *",
        "-DSTAILQ_FOREACH(item,head,field)=if((item=*(head))!=0)",
        "-DDL_FOREACH(head,item)=if((item=(head))!=0)",
        "-DDL_FOREACH_SAFE(head,item,after)=if((item=after=(head))!=0)",
        "-Djson_array_foreach(array,i,item)=while((item=json_array_get(array,i=+1)))", "-D__linux__", '-DSYNFAULT_VERSION="0"', "-I.",
        # An example is a test: it consists of another library's macros.
        *(path for path in tree.files(".c", below=(*tree.LAYERS, tree.LIBRARY, "targets"))
          if "example" not in path.parts),
    ]
    result = subprocess.run(arguments, cwd=tree.ROOT, check=False)
    tree.finish(["cppcheck complains"] if result.returncode else [])


main()
