// Catch2's own main(): a file of its own, since it is compiled without our warnings.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
