import { createContext, type ReactNode, useContext, useEffect, useState } from "react";

// The server's clock can differ from the browser's: a recording may be shown under a clock of its own.
const Now = createContext(Date.now());

/** Keeps the server's present time for everything inside, moving every 15 seconds. */
export function Clock({ server, children }: { server: string; children: ReactNode }) {
  const [offset, setOffset] = useState(0);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const at = Date.parse(server);
    setOffset(Number.isNaN(at) ? 0 : at - Date.now());
  }, [server]);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return <Now.Provider value={now + offset}>{children}</Now.Provider>;
}

/** The present time in milliseconds, by the server's clock. */
export const useNow = () => useContext(Now);
