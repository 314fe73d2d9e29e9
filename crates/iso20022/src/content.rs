//! Walks the content model of one element: which child may come next, whether all came.

use crate::schema::Particle;

/// How far the children of one element have come in its sequence or choice.
///
/// A schema's models are deterministic (XML Schema, "Unique Particle Attribution"), so one place
/// is all there is to remember.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// The particle last matched, or the first.
    index: usize,
    /// How often it was matched; 0 only where nothing was matched yet.
    count: u32,
}

impl Place {
    /// The particle that admits `name` next in a sequence; the place moves there.
    pub(crate) fn step_sequence<'s>(
        &mut self,
        particles: &'s [Particle],
        name: &str,
    ) -> Option<&'s Particle> {
        let mut next = *self;
        loop {
            let particle = particles.get(next.index)?;
            if particle.name == name && next.count < particle.max {
                *self = Self { index: next.index, count: next.count + 1 };
                return Some(particle);
            }
            if next.count < particle.min {
                return None;
            }
            next = Self { index: next.index + 1, count: 0 };
        }
    }

    /// The particle that admits `name` next in a choice; the place moves there.
    pub(crate) fn step_choice<'s>(
        &mut self,
        particles: &'s [Particle],
        name: &str,
    ) -> Option<&'s Particle> {
        let index = particles.iter().position(|particle| particle.name == name)?;
        let chosen_other = self.count > 0 && self.index != index;
        let count = if self.count == 0 { 0 } else { self.count };
        if chosen_other || count == particles[index].max {
            return None;
        }
        *self = Self { index, count: count + 1 };
        Some(&particles[index])
    }

    /// How often the particle last matched was matched.
    pub(crate) const fn count(self) -> u32 {
        self.count
    }

    /// The names that a sequence admits next, the last of which is required if the sequence is not
    /// complete.
    pub(crate) fn next_in_sequence(self, particles: &[Particle]) -> (Vec<&'static str>, bool) {
        let mut names = Vec::new();
        let mut count = self.count;
        for particle in particles.iter().skip(self.index) {
            if count < particle.max {
                names.push(particle.name);
            }
            if count < particle.min {
                return (names, false);
            }
            count = 0;
        }
        (names, true)
    }

    /// The names that a choice admits next, and whether it is complete without them.
    pub(crate) fn next_in_choice(self, particles: &[Particle]) -> (Vec<&'static str>, bool) {
        if self.count == 0 {
            let names = particles.iter().map(|particle| particle.name).collect();
            return (names, particles.iter().any(|particle| particle.min == 0));
        }
        let chosen = &particles[self.index];
        let names = if self.count < chosen.max { vec![chosen.name] } else { Vec::new() };
        (names, self.count >= chosen.min)
    }

    /// Whether a sequence may end here.
    pub(crate) fn completes_sequence(self, particles: &[Particle]) -> bool {
        let mut rest = particles.iter().skip(self.index);
        rest.next().is_none_or(|particle| self.count >= particle.min)
            && rest.all(|particle| particle.min == 0)
    }
}
