import { byId } from "./dom";

// It would appear after some seconds: see index.html.
byId("not-started").remove();
