// The cases of messages: what is parsed and what is written, without a connection.

#include "conformance/check.h"
#include "conformance/runner.h"

int main(int argc, char** argv) {
  return pipette::conformance::run_cases(argc, argv, /*of_servers=*/false, pipette::conformance::check);
}
