"""Pure rules: no SQL, network, framework, settings or clock.

Time zones are those of the package `tzdata`: whether somebody may be called must not depend on how old the machine's
own table is.
"""

import zoneinfo

zoneinfo.reset_tzpath(())
