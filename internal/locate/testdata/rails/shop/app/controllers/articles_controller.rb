class ArticlesController < ActionController::Base
  def create; end
  def destroy; end
  def edit; end
  def index; end
  def new; end
  def rate; end
  def show; end
  def update; end
end
