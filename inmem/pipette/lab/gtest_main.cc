// The main() of pipette::lab_main: GoogleTest's own, with artefacts of the tests that fail.
#include <gmock/gmock.h>

#include "pipette/lab/gtest.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  pipette::lab::LabListener::install();
  return RUN_ALL_TESTS();
}
