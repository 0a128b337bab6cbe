import { Button, Caption1, Field, Input, makeStyles, Title2, tokens } from "@fluentui/react-components";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { Failure } from "../../parts/Says";
import { useSignIn } from "../../queries/session";
import { homeOf, ownAddress } from "./address";

const useStyles = makeStyles({
  page: {
    height: "100%",
    display: "grid",
    placeItems: "center",
    backgroundColor: tokens.colorNeutralBackground3,
  },
  card: {
    width: "320px",
    padding: "32px",
    backgroundColor: tokens.colorNeutralBackground1,
    borderRadius: tokens.borderRadiusXLarge,
    boxShadow: tokens.shadow16,
  },
  form: { display: "flex", flexDirection: "column", gap: "16px" },
  head: { display: "flex", alignItems: "center", gap: "12px" },
  hint: { color: tokens.colorNeutralForeground3 },
});

export function SignInPage() {
  const s = useStyles();
  const signIn = useSignIn();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/signin" });
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const submit = (e: FormEvent) => {
    e.preventDefault();
    signIn.mutate(
      { user, password },
      { onSuccess: (me) => navigate({ href: ownAddress(next) ?? homeOf(me), replace: true }) },
    );
  };
  return (
    <main className={s.page}>
      <div className={s.card}>
        <form className={s.form} onSubmit={submit}>
          <div className={s.head}>
            <img src="/icon.svg" alt="" width={36} height={36} />
            <Title2 as="h1">Lockstep</Title2>
          </div>
          <Field label="User" required>
            <Input value={user} onChange={(_, d) => setUser(d.value)} autoComplete="username" autoFocus name="user" />
          </Field>
          <Field label="Password" required>
            <Input
              type="password"
              value={password}
              onChange={(_, d) => setPassword(d.value)}
              autoComplete="current-password"
              name="password"
            />
          </Field>
          {signIn.isError && <Failure error={signIn.error} what="Not signed in" />}
          <Button appearance="primary" type="submit" disabled={!user || !password || signIn.isPending}>
            Sign in
          </Button>
          <Caption1 className={s.hint}>The server printed the first user and password when it started.</Caption1>
        </form>
      </div>
    </main>
  );
}
