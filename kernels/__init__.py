"""The efficiency programmer's room: C and OpenCL templates, one folder for each specializer.

Installed as the package data of ``sejits_nb.kernels`` and read through ``importlib.resources``; no
Python logic lives here.
"""
