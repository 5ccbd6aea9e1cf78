#include "reference.h"

#include <gtest/gtest.h>

#include "pipette/lab/lab.h"

TEST(Reference, AnswersItsThreePaths) {
  pipette::Server server(reference);
  pipette::Lab lab;
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("http://app/").body, "OK\n");
  const auto echoed = lab.post("http://app/echo", "text/x-test", "some octets");
  EXPECT_EQ(echoed.status, 200);
  EXPECT_EQ(echoed.body, "some octets");
  EXPECT_EQ(echoed.header("Content-Type"), "text/x-test");
  EXPECT_EQ(lab.get("http://app/headers").body, "Host: app\nUser-Agent: pipette\n");
  EXPECT_EQ(lab.get("http://app/other").status, 404);
  EXPECT_EQ(lab.get("http://app/echo").status, 404);
}
