from coupling.lots import sha256 as sha256
