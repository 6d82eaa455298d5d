"""What a notebook or a terminal shows of a specialization: pure functions of ``stages`` records.

::

    card_text  the plain-text card            card     the same as static HTML
    levels     cell | DAST | PAST | code      passes   before -> after of each pass of phase 2
    trees      DAST and PAST as folding trees panes    columns side by side, linked
    figures    the PNG (imports matplotlib)   show     the MIME bundles for IPython's ``display``
    machine_card  the measured roofs          roofline_plot  them and the variants below
"""
