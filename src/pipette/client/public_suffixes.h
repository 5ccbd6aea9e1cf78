// PublicSuffixes: the domains that belong to nobody alone, such as com, co.uk and github.io.
//
// No host may set a cookie for one: every other customer of the registry would be sent it.
//
//   contains("co.uk") --> true        contains("example.co.uk") --> false
//
// The built-in list is that of the libpsl which the program is linked with, as old as it is: with the registries'
// suffixes and those of hosting companies. Nothing is read from files. Tests that should not depend on its age bring
// their own.
//
// Threads  contains() is called from any.
#pragma once

#include <string_view>

namespace pipette::client {

class PublicSuffixes {
 public:
  virtual ~PublicSuffixes() = default;

  // `domain` is a host name with a dot in it, in lower case, A-labels, without a dot at either end.
  virtual bool contains(std::string_view domain) const = 0;
};

// A libpsl that was built without a list takes every domain for one: cookies stay with the host that has set them.
const PublicSuffixes& builtin_public_suffixes();

}  // namespace pipette::client
