// The cases of servers, against ours, in memory and under every delivery.

#include "conformance/live/serving.h"
#include "conformance/runner.h"

int main(int argc, char** argv) {
  return pipette::conformance::run_cases(argc, argv, /*of_servers=*/true, pipette::conformance::check_serving);
}
