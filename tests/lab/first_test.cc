#include <gtest/gtest.h>

#include "pipette/lab/gtest.h"
#include "pipette/lab/lab.h"

static void greet(pipette::RequestCtx& ctx) { ctx.set_body("Hello, " + ctx.query("name").value_or("world") + "!"); }

TEST(Greeting, IsByName) {
  pipette::Server server(greet);
  pipette::Lab lab;
  lab.serve(server, "app:80");
  EXPECT_EQ(lab.get("http://app/?name=Ada").body, "Hello, Ada!");
}
