// How GoogleTest prints our types. Include it wherever an Errc is compared, so that every test prints it alike.
#pragma once

#include <ostream>

#include "pipette/base/errc.h"

namespace pipette {

// Named as GoogleTest wants it.
inline void PrintTo(Errc error, std::ostream* out) {       // NOLINT(readability-identifier-naming)
  *out << '"' << make_error_code(error).message() << '"';  // which knows what to say of no Errc
}

}  // namespace pipette
