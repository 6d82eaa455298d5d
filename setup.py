"""Lists the packages; everything else is in pyproject.toml.

``kernels/`` stands beside ``sejits_nb/`` here and is installed as ``sejits_nb.kernels``
(``tool.setuptools.package-dir``); each of its folders of templates is a namespace package, and so is
the explorer's folder of scripts.
"""

from setuptools import find_namespace_packages, find_packages, setup

templates = find_namespace_packages("kernels", exclude=["*__pycache__*"])
setup(
    packages=[
        *find_packages(include=["sejits_nb", "sejits_nb.*"]),
        "sejits_nb.kernels",
        "sejits_nb.widgets.explorer.js",
        *(f"sejits_nb.kernels.{name}" for name in templates),
    ]
)
