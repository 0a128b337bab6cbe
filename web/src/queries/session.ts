import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, get } from "../api";
import type { Me, Person } from "../wire";

export const useMe = () =>
  useQuery({ queryKey: ["me"], queryFn: ({ signal }) => get<Me>("/me", signal), staleTime: 5 * 60_000, retry: false });

export const usePeople = (wanted: boolean) =>
  useQuery({
    queryKey: ["people"],
    queryFn: ({ signal }) => get<Person[]>("/people", signal),
    staleTime: 60_000,
    enabled: wanted,
  });

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { user: string; password: string }) => ask<Me>("POST", "/signin", body),
    onSuccess: (me) => {
      client.clear();
      client.setQueryData(["me"], me);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => ask<void>("POST", "/signout"),
    onSuccess: () => {
      client.clear();
      window.location.assign("/signin");
    },
  });
}
