import { FluentProvider, webDarkTheme, webLightTheme } from "@fluentui/react-components";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api";
import { makeRouter } from "./router";
import "./page.css";

// Whoever is told that the session is over has the frame look, which leads to the sign-in.
const queryCache = new QueryCache({
  onError: (error, query) => {
    if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== "me") {
      client.invalidateQueries({ queryKey: ["me"] });
    }
  },
});

const client = new QueryClient({
  queryCache,
  defaultOptions: {
    queries: {
      // What a page asks for is right or wrong at once; only a lost connection is worth another try.
      retry: (count, error) => error instanceof ApiError && error.status === 0 && count < 3,
      refetchOnWindowFocus: true,
    },
  },
});
const router = makeRouter(client);

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const watchDark = (changed: () => void) => {
  dark.addEventListener("change", changed);
  return () => dark.removeEventListener("change", changed);
};

// A style, not a class: the provider hands its classes on to every dialog and list it opens.
const fill = { height: "100%" };

function App() {
  const isDark = useSyncExternalStore(watchDark, () => dark.matches);
  return (
    <FluentProvider theme={isDark ? webDarkTheme : webLightTheme} style={fill}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </FluentProvider>
  );
}

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
