class MeController < ActionController::Base
  def show; end
  def team; end
  def update; end
end
